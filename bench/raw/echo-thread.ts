/** The least that a durable agent does: one message in, the record appended and synced, one message out. */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'

const { file, recordBytes } = workerData as { file: string; recordBytes: number }
const record = Buffer.alloc(recordBytes, 'x')
const fd = openSync(file, 'a')

parentPort?.on('message', (text: string | null) => {
  if (text === null) {
    closeSync(fd)
    parentPort?.close()
    return
  }
  writeSync(fd, record)
  fdatasyncSync(fd)
  parentPort?.postMessage(text)
})
