/** Loaded before a program that runs with --expose-gc: at SIGUSR2 what its heap holds, without garbage, goes to the file HEAP_FILE. */
import { renameSync, writeFileSync } from 'node:fs'
import { settledHeap } from './settled.ts'

const file = process.env['HEAP_FILE'] ?? ''

process.on('SIGUSR2', () => {
  void settledHeap().then((bytes) => {
    writeFileSync(`${file}.new`, String(bytes))
    renameSync(`${file}.new`, file)
  })
})
