import { AgentryError } from '../errors.ts'

/** The taskIds of calls that are under way, and the agent each went to: until the catalog knows a task, this keeps it in one place. */
export class TaskRoutes {
  readonly #routes = new Map<string, { agentId: string; calls: number }>()

  /** Throws `task_conflict` where the taskId is under way to another agent. End it when the call is settled. */
  begin(taskId: string, agentId: string): { end(): void } {
    const route = this.#routes.get(taskId) ?? { agentId, calls: 0 }
    if (route.agentId !== agentId) throw TaskRoutes.conflict(taskId, route.agentId)
    route.calls += 1
    this.#routes.set(taskId, route)
    return {
      end: () => {
        route.calls -= 1
        if (route.calls === 0) this.#routes.delete(taskId)
      },
    }
  }

  static conflict(taskId: string, agentId: string): AgentryError {
    return new AgentryError('task_conflict', `taskId ${taskId} belongs to agent ${agentId}`, {
      data: { taskId, agentId },
    })
  }
}
