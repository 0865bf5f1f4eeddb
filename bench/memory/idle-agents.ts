/** Prints the resident memory of a team with so many idle agents on threads, one turn behind each. Arguments: data directory, agents. */
import { echoTurn } from '../harness/echo-agents.ts'
import { library } from '../harness/library.ts'
import { settledRss } from './settled.ts'

const [, , data = '', count = ''] = process.argv
const agents = Number(count)
await using team = await library.createTeam({
  data,
  limits: { threads: agents, hibernateAfterMs: 600_000 },
})
for (let number = 0; number < agents; number += 1) {
  await echoTurn(await team.spawn({ id: `echo-${number}`, behavior: 'echo' }))
}
const notIdle = team.agents().filter(({ state }) => state !== 'idle')
if (notIdle.length > 0) throw new Error(`expected all agents to be idle, ${notIdle.length} are not`)
console.log(await settledRss())
