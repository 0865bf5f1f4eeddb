/** Writes the JSON Schema of agentry.yaml, which editors complete and check by: `npm run schema`. */
import { writeFileSync } from 'node:fs'
import { configJsonSchema } from '../src/config-file.ts'

writeFileSync(
  new URL('../docs/agentry.schema.json', import.meta.url),
  `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
)
