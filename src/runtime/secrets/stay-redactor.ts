import type { StayOptions } from '../../protocol/stay.ts'
import { readToken, tokenStampOf } from '../../store/token-file.ts'
import { configuredSecretNames, handedOnNames } from './configured-names.ts'
import { createRedactor, type Redactor, type StreamRedactor } from './redactor.ts'
import { secretsOf } from './secrets-of.ts'

/** By the names of what is secret: a thread serves many stays, and its environment does not change. */
const redactors = new Map<string, Redactor>()

/**
 * Takes the secrets of this process's environment, those that the team's settings name, and the token of its gateway out of what a
 * stay records and says. The token may be made and rotated during a stay: its file is looked at with every text, which costs a stat.
 */
export function redactorOf({
  models,
  spec,
  store,
}: Pick<StayOptions, 'models' | 'spec' | 'store'>): Redactor {
  const { directory } = store
  const servers = Object.values(spec.llm?.mcpServers ?? {})
  const names = configuredSecretNames(models, servers)
  const handedOn = handedOnNames(servers)
  const stampOf = directory === undefined ? () => '' : tokenStampOf(directory)
  let stamp = stampOf()
  let token = tokenOf(directory)
  let redactor = redactorFor(names, handedOn, token)
  function current(): Redactor {
    const now = stampOf()
    if (now === stamp) return redactor
    stamp = now
    // Where it cannot be read any more, the gateway too goes on with the last one.
    token = tokenOf(directory) ?? token
    redactor = redactorFor(names, handedOn, token)
    return redactor
  }
  return {
    redact: (text) => current().redact(text),
    redactJson: (value) => current().redactJson(value),
    stream: () => new FollowingStream(current),
  }
}

/** Goes on with the next redactor where there is one; a secret of which the last one holds a part back is not found then. */
class FollowingStream implements StreamRedactor {
  readonly #current: () => Redactor
  #redactor: Redactor
  #stream: StreamRedactor

  constructor(current: () => Redactor) {
    this.#current = current
    this.#redactor = current()
    this.#stream = this.#redactor.stream()
  }

  push(text: string): string {
    const redactor = this.#current()
    if (redactor === this.#redactor) return this.#stream.push(text)
    const held = this.#stream.flush()
    this.#redactor = redactor
    this.#stream = redactor.stream()
    return held + this.#stream.push(text)
  }

  flush(): string {
    return this.#stream.flush()
  }
}

function redactorFor(
  names: ReadonlySet<string>,
  handedOn: ReadonlySet<string>,
  token: string | undefined,
): Redactor {
  const key = JSON.stringify([[...names].sort(), [...handedOn].sort(), token ?? ''])
  let redactor = redactors.get(key)
  if (redactor === undefined) {
    const secrets = secretsOf(process.env, names, handedOn)
    if (token !== undefined) secrets.push({ name: 'AGENTRY_TOKEN', value: token })
    redactor = createRedactor(secrets)
    redactors.set(key, redactor)
  }
  return redactor
}

/** A file that holds no token is the gateway's to refuse. */
function tokenOf(directory: string | undefined): string | undefined {
  try {
    return directory === undefined ? undefined : readToken(directory)
  } catch {
    return undefined
  }
}
