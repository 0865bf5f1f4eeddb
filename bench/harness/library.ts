/** The library as its users get it: the built files, with the types of the sources. `npm run bench` builds first. */
import type * as catalog from '../../src/store/catalog.ts'
import type * as directory from '../../src/store/directory.ts'
import type * as durableFs from '../../src/store/durable-fs.ts'
import type * as fileStore from '../../src/store/file-store.ts'
import type * as team from '../../src/team.ts'

const { createTeam } = await built<typeof team>('team')
const { createFileStore } = await built<typeof fileStore>('store/file-store')
const { openDirectory } = await built<typeof directory>('store/directory')
const { Catalog } = await built<typeof catalog>('store/catalog')
const { createDurableFs, systemCalls } = await built<typeof durableFs>('store/durable-fs')

export const library: Pick<typeof team, 'createTeam'> &
  Pick<typeof fileStore, 'createFileStore'> &
  Pick<typeof directory, 'openDirectory'> &
  Pick<typeof catalog, 'Catalog'> &
  Pick<typeof durableFs, 'createDurableFs' | 'systemCalls'> = {
  createTeam,
  createFileStore,
  openDirectory,
  Catalog,
  createDurableFs,
  systemCalls,
}

async function built<T>(module: string): Promise<T> {
  return (await import(new URL(`../../dist/src/${module}.js`, import.meta.url).href)) as T
}
