import { IncompleteAnswer } from './failure.ts'

/** Whole answers, where a stream was asked for: the page of a captive portal, another service at that address, an error without its status. */
const WHOLE = ['text/html', 'application/json']

/** How much of such an answer is told. */
const SHOWN_CHARS = 200

/** The runtime's fetch for requests whose answer is to be a stream. Rejects with `IncompleteAnswer` for a good status and another body. */
export const streamingFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, init)
  const type = response.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (!response.ok || !WHOLE.includes(type)) return response
  const { value = '' } = (await response.body?.pipeThrough(new TextDecoderStream()).getReader().read()) ?? {}
  throw new IncompleteAnswer(
    `expected a stream of events, received ${type} (is the base URL right?): ${value.slice(0, SHOWN_CHARS)}`,
  )
}
