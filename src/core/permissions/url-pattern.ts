/**
 * Patterns over URLs: `https://host/path`, whose scheme, host and port are exact. A host that begins with `*.` is any name below
 * it. In path and query `*` stands for any text; a pattern without a path is the whole host. `*` by itself is every URL.
 */
import { type Glob, matchesGlob, parseGlob } from './glob.ts'

export type UrlPattern =
  | { every: true }
  | { every: false; protocol: string; host: string; below: boolean; port: string; path: Glob | undefined }

const FORM = /^(https?):\/\/(\*\.)?([^/:?#@*\s\\]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(\/[^\s#]*)?$/u

/** undefined where `source` is no such pattern. */
export function parseUrlPattern(source: string): UrlPattern | undefined {
  if (source === '*') return { every: true }
  const [, scheme, below, host, port = '', path] = FORM.exec(source) ?? []
  if (scheme === undefined || host === undefined) return undefined
  const url = URL.parse(`${scheme}://${host}${port}/`)
  if (url === null) return undefined
  return {
    every: false,
    protocol: url.protocol,
    host: url.hostname,
    below: below !== undefined,
    port: url.port,
    path: path === undefined ? undefined : parseGlob(path, { questionMarks: false }),
  }
}

/**
 * True where `text` is a URL that fits. One with a name or a password in it, or whose host ends with a dot, fits only where
 * `loosely` (what is denied is denied however it is written).
 */
export function matchesUrl(pattern: UrlPattern, text: string, loosely: boolean): boolean {
  if (pattern.every) return true
  const url = URL.parse(text)
  if (url === null) return false
  if (!loosely && (url.username !== '' || url.password !== '')) return false
  const host = loosely ? url.hostname.replace(/\.$/u, '') : url.hostname
  if (url.protocol !== pattern.protocol || url.port !== pattern.port) return false
  if (pattern.below ? !host.endsWith(`.${pattern.host}`) : host !== pattern.host) return false
  return pattern.path === undefined || matchesGlob(pattern.path, url.pathname + url.search)
}
