import { expect, test } from 'vitest'
import { AgentryError } from '../../src/errors.ts'
import { TaskRoutes } from '../../src/supervisor/task-routes.ts'

test('a taskId belongs to one agent as long as one of its calls is under way', () => {
  const routes = new TaskRoutes()
  const [first, second] = [routes.begin('t', 'a'), routes.begin('t', 'a')]
  expect(() => routes.begin('t', 'b')).toThrow(AgentryError)
  first.end()
  expect(() => routes.begin('t', 'b')).toThrow('belongs to agent a')
  second.end()
  routes.begin('t', 'b').end()
  routes.begin('t', 'a').end()
})
