/**
 * `.agentry/token`: what a client of the gateway proves itself by. One line of 43 characters, 256 random bits in base64url; 0600 like
 * every file here. Whoever can read it can run commands as the owner of the directory, who can do so anyway.
 */
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { AgentryError } from '../errors.ts'
import { type DurableFs, type FileInfo, systemFs, writeFileAtomic } from './durable-fs.ts'
import { ownFilesOf, readOwnFile } from './own-files.ts'
import { foldersOf } from './session-files.ts'

/** Also for tokens that were set by hand: printable, and not a word that can be guessed. */
const TOKEN = /^[\x21-\x7e]{16,1024}$/

export function tokenFileOf(directory: string): string {
  return ownFilesOf(foldersOf(resolve(directory))).token
}

/**
 * The token of the directory, or undefined where it has none yet. Throws `directory_invalid` where the file holds no token, or where
 * others may read or have written it.
 */
export function readToken(directory: string, fs: DurableFs = systemFs): string | undefined {
  const path = tokenFileOf(directory)
  const file = readOwnFile(fs, path)
  if (file.kind === 'missing') return undefined
  const token = file.kind === 'file' ? file.content.trim() : ''
  const found = TOKEN.test(token) ? exposureOf(fs.info(path)) : 'something else'
  if (found === undefined) return token
  throw new AgentryError(
    'directory_invalid',
    `expected a token that only its owner can read (0600) in ${path}, found ${found}: \`agentry token rotate\` makes a new one`,
  )
}

/**
 * What it gives differs where the token is another one, or what is said of its file is: a look that costs a stat. It never throws.
 */
export function tokenStampOf(directory: string, fs: DurableFs = systemFs): () => string {
  const path = tokenFileOf(directory)
  return () => {
    try {
      const info = fs.info(path)
      return info === undefined
        ? 'none'
        : `${info.kind}:${info.size}:${info.mtimeMs}:${info.mode}:${info.uid}`
    } catch {
      return 'unknown'
    }
  }
}

/** Why a token may be known to others, or may be theirs. Root reads everybody's, and everybody may trust what is root's. */
function exposureOf(info: FileInfo | undefined): string | undefined {
  if (info === undefined) return 'nothing' // Gone since it was read.
  if ((info.mode & 0o077) !== 0) return `a file with mode 0${info.mode.toString(8)}`
  const user = process.getuid?.() ?? info.uid
  if (user !== 0 && info.uid !== 0 && info.uid !== user) return `a file of the user ${info.uid}`
  return undefined
}

/** The token of the directory, made where there is none. */
export function ensureToken(directory: string, fs: DurableFs = systemFs): string {
  return readToken(directory, fs) ?? rotateToken(directory, fs)
}

/** A new token in place of the one before. Never half written, and durable when it returns. */
export function rotateToken(directory: string, fs: DurableFs = systemFs): string {
  const token = randomBytes(32).toString('base64url')
  const folders = foldersOf(resolve(directory))
  writeFileAtomic(fs, ownFilesOf(folders).token, `${token}\n`)
  return token
}

/** Throws `invalid_input` unless `token` is 16 to 1024 printable ASCII characters without spaces. It is not repeated. */
export function assertToken(token: string, name: string): void {
  if (TOKEN.test(token)) return
  throw new AgentryError(
    'invalid_input',
    `${name}: expected 16 to 1024 printable ASCII characters, without spaces`,
  )
}

/** For a gateway whose token was set by who runs it: the directory has none. */
export function tokenNeeded(directory: string, url: string): AgentryError {
  const message = `${directory} is served at ${url} with a token of its own: expected it in AGENTRY_TOKEN`
  return new AgentryError('unauthorized', message, { data: { directory, url } })
}
