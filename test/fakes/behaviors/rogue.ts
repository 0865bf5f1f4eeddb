/**
 * A behavior that does harm on request. The first word of a message says what, the rest is its argument; an unknown word is
 * answered. Everything here is ordinary user code: nothing knows about the host.
 */
import { pbkdf2Sync } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { parentPort } from 'node:worker_threads'
import { type Behavior, defineBehavior } from '../../../src/behavior.ts'

const kept: unknown[] = []
let throwAtClose = false

const rogue: Behavior = defineBehavior({
  async run(message, context) {
    const [word = '', argument = ''] = message.split(' ')
    switch (word) {
      case 'loop':
        for (;;);
      case 'block':
        pbkdf2Sync('password', 'salt', Number(argument), 64, 'sha512')
        return 'done'
      case 'exit':
        console.log('about to exit')
        process.exit(Number(argument))
      case 'throw-later':
        setImmediate(() => {
          throw Object.assign(new Error(argument), { code: 'E_ROGUE' })
        })
        return never()
      case 'throw-after-stop':
        throwAtClose = true
        return 'later'
      case 'reject':
        void Promise.reject(new Error(argument))
        return never()
      case 'throw-null':
        setImmediate(() => {
          // oxlint-disable-next-line typescript/only-throw-error -- the point of it
          throw null
        })
        return never()
      case 'heap':
        for (;;) kept.push({ at: kept.length, text: `object ${kept.length}` })
      case 'buffers':
        for (let count = 0; count < Number(argument); count++) kept.push(Buffer.alloc(1024 * 1024, 1))
        for (;;);
      case 'append':
        for (;;) appendFileSync(argument, '.')
      case 'record':
        for (let count = 0; ; count++) {
          await context.updateSession({ metadata: { count } })
          await new Promise((resolve) => setImmediate(resolve))
        }
      case 'print':
        console.log(argument)
        console.error(`${argument} to stderr`)
        process.stdout.write(Buffer.from('bytes\n'))
        return 'printed'
      case 'print-flood':
        for (let count = 0; count < Number(argument); count++) {
          console.log(`line ${count} of a flood that nobody will read to its end`)
          if (count % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve))
        }
        return 'flooded'
      case 'print-loop':
        for (;;) console.log('still here')
      case 'post-flood':
        for (let count = 0; count < Number(argument); count++) parentPort?.postMessage({ count })
        return 'posted'
      case 'change-globals':
        Object.assign(globalThis, { leaked: true })
        Object.assign(Array.prototype, { leaked: true })
        process.env['LEAKED'] = 'true'
        return 'changed'
      case 'show-globals':
        return JSON.stringify(['leaked' in globalThis, 'leaked' in [], 'LEAKED' in process.env])
      case 'block-reads':
        await Promise.all(Array.from({ length: 4 }, () => readFile(argument)))
        return 'read'
      default:
        return message
    }
  },
  close() {
    if (throwAtClose) {
      setImmediate(() => {
        throw new Error('too late')
      })
    }
  },
})

export default rogue

function never(): Promise<never> {
  return new Promise(() => {})
}
