import { setTimeout as sleep } from 'node:timers/promises'
import { type Behavior, defineBehavior } from '../../../src/behavior.ts'

await sleep(1_000)

const slow: Behavior = defineBehavior({ run: (message) => message })

export default slow
