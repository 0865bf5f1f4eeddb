import type { Behavior } from '../../behavior.ts'

/** Answers every message with its own text. Has no effects, so a turn that a crash cut off is simply run again. */
export const echoBehavior: Behavior = {
  name: 'echo',
  resumable: true,
  run: (message) => message,
}
