/** The screen with its ears: what is typed and pasted goes to the model. */
import { useInput, usePaste } from 'ink'
import { type ReactNode, useSyncExternalStore } from 'react'
import { keysOf } from './keys.ts'
import type { MountOptions } from './mount.ts'
import { Screen } from './screen.tsx'
import type { Paint } from './theme.ts'

export interface RootProps extends Pick<MountOptions, 'stdout' | 'getFrame' | 'subscribe' | 'onInput'> {
  readonly paint: Paint
}

export function Root({ stdout, getFrame, subscribe, onInput, paint }: RootProps): ReactNode {
  const frame = useSyncExternalStore(subscribe, getFrame)
  useInput((input, key) => {
    for (const name of keysOf(input, key)) onInput({ type: 'key', key: name })
  })
  usePaste((text) => onInput({ type: 'paste', text }))
  return <Screen frame={frame} columns={stdout.columns} rows={stdout.rows} paint={paint} />
}
