/** A program that shows what it was told: `mountDashboard` as a process in a terminal. Its first argument is what it does on `x`; `r` redraws. */
import '../../fakes/tsx.ts'
import type { Frame } from '../../../src/dashboard/model/frame.ts'
import { type Line, span } from '../../../src/dashboard/model/line.ts'

const { mountDashboard } = await import('../../../src/dashboard/view/mount.ts')

const onX = process.argv[2] ?? 'unmount'
const heard: string[] = []
const listeners = new Set<() => void>()
let failing = false
let frame = frameNow()

const mounted = mountDashboard({
  stdin: process.stdin,
  stdout: process.stdout,
  env: process.env,
  getFrame: () => {
    if (failing) throw new Error('drawing failed')
    return frame
  },
  subscribe: (listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  },
  onInput: (input) => {
    if (input.type === 'key' && input.key === 'x') act()
    if (input.type === 'key' && input.key === 'r') mounted.redraw()
    heard.push(input.type === 'key' ? input.key : JSON.stringify(input.text))
    change()
  },
  onResize: change,
})
await mounted.done.then(
  () => console.log('ended well'),
  (error: unknown) => console.log(`ended with ${String(error)}`),
)
console.log(`NODE_ENV is ${process.env['NODE_ENV']}`)

function act(): void {
  switch (onX) {
    case 'exit':
      process.exit(7)
    case 'throw':
      throw new Error('a listener failed')
    case 'draw':
      failing = true
      return
    case 'uncaught':
      setImmediate(() => {
        throw new Error('nobody caught it')
      })
      return
    case 'rejection':
      void Promise.reject(new Error('nobody handled it'))
      return
    case 'console':
      console.log('said on the console\nand more')
      console.error('and as an error')
      return
    case 'litter':
      process.stdout.write('\u001b[2;2Hlitter\u001b[5;1Hlitter\r\n\r\n')
      return
    case 'SIGTERM':
    case 'SIGHUP':
      process.kill(process.pid, onX)
      return
    default:
      mounted.unmount()
  }
}

function change(): void {
  frame = frameNow()
  for (const listener of listeners) listener()
}

function frameNow(): Frame {
  const { columns, rows } = process.stdout
  const fill = Array.from({ length: rows - 3 }, (_, y): Line => [
    span(`row ${y} `),
    span('█'.repeat(5), 'good'),
  ])
  return {
    kind: 'panes',
    columns,
    rows,
    panes: [
      { title: [span(`${columns}x${rows}`)], lines: fill, width: columns, height: rows - 2, focused: true },
    ],
    strip: [],
    notice: [],
    input: { lines: [[span(`> ${heard.join(' ')}`)]], cursor: { x: 2, y: 0 } },
    status: [span('s'.repeat(columns), 'accent')],
  }
}
