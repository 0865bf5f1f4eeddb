import type { Clock } from '../../core/clock.ts'
import type { Confinement } from './files/confinement.ts'

/** What all tools on files share. */
export interface FileToolOptions {
  confinement: Confinement
  /** Most bytes of a result, its notes included. */
  outputBytes: number
  clock?: Clock | undefined
}

/** Room for the lines that say what was left out. */
export const NOTE_BYTES = 400
