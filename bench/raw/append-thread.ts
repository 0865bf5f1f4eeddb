/** Appends and syncs a record as often as it is told, then says so: a disk's rate with no messages between. */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'

const { file, recordBytes } = workerData as { file: string; recordBytes: number }
const record = Buffer.alloc(recordBytes, 'x')
const fd = openSync(file, 'a')

parentPort?.on('message', (times: number) => {
  for (let time = 0; time < times; time += 1) {
    writeSync(fd, record)
    fdatasyncSync(fd)
  }
  parentPort?.postMessage(times)
  if (times === 0) {
    closeSync(fd)
    parentPort?.close()
  }
})
