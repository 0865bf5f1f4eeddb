/** An agent that does the harm that its message names. */
import type { Behavior } from '../../src/behavior.ts'
import { disturb, type Disturbance } from './disturb.ts'

const disturber: Behavior = { name: 'disturber', run: (message) => disturb(message as Disturbance) }

export default disturber
