import type { TextSink } from '../../src/cli/io.ts'

/** A stream that keeps what is written to it. */
export function createTextSink(isTTY = false): TextSink & { text(): string } {
  let written = ''
  return {
    isTTY,
    write: (text) => {
      written += text
    },
    text: () => written,
  }
}
