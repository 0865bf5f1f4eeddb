/** Prints the heap of a team of which every registered agent is hibernated. Arguments: data directory. */
import { library } from '../harness/library.ts'
import { settledHeap } from './settled.ts'

const [, , data = ''] = process.argv
await using team = await library.createTeam({ data })
const awake = team.agents().filter(({ state }) => state !== 'hibernated')
if (awake.length > 0) throw new Error(`expected all agents to be hibernated, ${awake.length} are not`)
console.log(await settledHeap())
