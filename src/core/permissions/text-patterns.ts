/** Patterns over what is no command: paths, URLs, names. */
import { quote } from '../ids.ts'
import { AgentryError } from '../../errors.ts'
import { escaped } from './command-patterns.ts'
import type { PermissionSubject } from './rule-types.ts'

/**
 * True where the subject fits. Paths: `*` and `?` within a part, `**` over parts; relative ones are relative to the working directory.
 * URLs: scheme and host as they are (the host may begin with `*.`), the path as above, queries not looked at. Anything else: `*` stands
 * for any text.
 */
export function fitsText(pattern: string, subject: PermissionSubject): boolean {
  switch (subject.kind) {
    case 'path':
      return globOf(withoutDot(pattern)).test(withoutDot(subject.text))
    case 'url':
      return fitsUrl(pattern, subject.text)
    case 'agent':
    case 'text':
      return new RegExp(`^${pattern.split('*').map(escaped).join('[\\s\\S]*')}$`, 'u').test(subject.text)
    case 'command':
      return false
  }
}

/** Throws `invalid_config` for an empty one. */
export function assertTextPattern(pattern: string): void {
  if (pattern.trim() !== '') return
  throw new AgentryError('invalid_config', `expected a pattern, received ${quote(pattern)}`)
}

function withoutDot(path: string): string {
  return path.replace(/^(?:\.\/)+/u, '')
}

function globOf(pattern: string): RegExp {
  const source = pattern
    .split(/(\*\*\/|\*\*|\*|\?)/u)
    .map((part) => {
      if (part === '**/') return '(?:[\\s\\S]*/)?'
      if (part === '**') return '[\\s\\S]*'
      if (part === '*') return '[^/]*'
      return part === '?' ? '[^/]' : escaped(part)
    })
    .join('')
  return new RegExp(`^${source}$`, 'u')
}

const URL_PATTERN = /^(https?):\/\/(\*\.)?([^/*?#@:]+)(?::(\d+))?(\/[^?#]*)?$/u

function fitsUrl(pattern: string, text: string): boolean {
  const [, scheme, wild, host, port = '', path = '/**'] = URL_PATTERN.exec(pattern) ?? []
  if (host === undefined || !URL.canParse(text)) return false
  const url = new URL(text)
  if (url.protocol !== `${scheme}:` || url.port !== port || url.username !== '' || url.password !== '')
    return false
  const named = host.toLowerCase()
  const sameHost = wild === undefined ? url.hostname === named : url.hostname.endsWith(`.${named}`)
  return sameHost && globOf(path).test(url.pathname)
}
