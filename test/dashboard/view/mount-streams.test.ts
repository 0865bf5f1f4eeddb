import { Console } from 'node:console'
import { PassThrough, Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { mountDashboard, type MountOptions } from '../../../src/dashboard/view/mount.ts'
import { frame } from './frames.ts'

// The console of the test runner has none, and Ink makes one of it.
Object.assign(console, { Console })

/** A terminal of which nobody looks at the screen. */
function onStreams(changes: Partial<MountOptions> = {}) {
  const raw: boolean[] = []
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (on: boolean) => raw.push(on),
  })
  const stdout = Object.assign(new Writable({ write: (_chunk, _encoding, done) => done() }), {
    isTTY: true,
    columns: 40,
    rows: 8,
    getColorDepth: () => 4,
  })
  const shown = frame()
  const mounted = mountDashboard({
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    env: {},
    getFrame: () => shown,
    subscribe: () => () => undefined,
    onInput: () => undefined,
    onResize: () => undefined,
    ...changes,
  })
  return { mounted, stdin, stdout, raw }
}

test('ends with an error when the terminal is gone', async () => {
  const { mounted, stdin, raw } = onStreams()
  stdin.end()
  await expect(mounted.done).rejects.toThrow('the terminal is gone')
  expect(raw.at(-1)).toBe(false)
})

test('ends with what a listener of a new size throws', async () => {
  const { mounted, stdout } = onStreams({
    onResize: (columns) => {
      throw new Error(`no room in ${columns}`)
    },
  })
  stdout.columns = 10
  stdout.emit('resize')
  await expect(mounted.done).rejects.toThrow('no room in 10')
})

test('ends once, and hears nothing afterwards', async () => {
  let sizes = 0
  const { mounted, stdin, stdout } = onStreams({ onResize: () => (sizes += 1) })
  mounted.unmount()
  mounted.unmount()
  mounted.redraw()
  stdin.end()
  stdout.emit('resize')
  await mounted.done
  expect(sizes).toBe(0)
  expect(stdin.listenerCount('end') + stdout.listenerCount('resize')).toBe(0)
})
