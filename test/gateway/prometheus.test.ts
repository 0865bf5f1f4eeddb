import { expect, test } from 'vitest'
import { createCounter, createGauge, createHistogram, expositionOf } from '../../src/gateway/prometheus.ts'

test('figures are written as Prometheus reads them', () => {
  const turns = createCounter({ name: 'turns_total', help: 'Turns.' })
  turns.add({ agent: 'a', status: 'completed' })
  turns.add({ agent: 'a', status: 'completed' })
  turns.add({ agent: 'a', status: 'failed' }, 0)
  const sessions = createGauge({ name: 'sessions', help: 'Sessions.' }, () => [[{}, 3]])
  expect(expositionOf([turns, sessions])).toBe(
    [
      '# HELP turns_total Turns.',
      '# TYPE turns_total counter',
      'turns_total{agent="a",status="completed"} 2',
      'turns_total{agent="a",status="failed"} 0',
      '# HELP sessions Sessions.',
      '# TYPE sessions gauge',
      'sessions 3',
      '',
    ].join('\n'),
  )
})

test('a value is in every bucket whose bound it does not exceed', () => {
  const seconds = createHistogram({ name: 's', help: 'Seconds.', bounds: [0.5, 1] })
  for (const value of [0.25, 0.5, 0.75, 4]) seconds.observe({ agent: 'a' }, value)
  expect([...seconds.samples()]).toEqual([
    's_bucket{agent="a",le="0.5"} 2',
    's_bucket{agent="a",le="1"} 3',
    's_bucket{agent="a",le="+Inf"} 4',
    's_sum{agent="a"} 5.5',
    's_count{agent="a"} 4',
  ])
})

test('a label cannot end its value', () => {
  const errors = createCounter({ name: 'e', help: 'Errors.' })
  errors.add({ code: 'a"} 1\nb\\' })
  expect([...errors.samples()]).toEqual(['e{code="a\\"} 1\\nb\\\\"} 1'])
})

test('a state is read at each scrape', () => {
  const values: [{ agent: string }, number][] = [[{ agent: 'a' }, 1]]
  const gauge = createGauge({ name: 'g', help: 'G.' }, () => values)
  expect([...gauge.samples()]).toEqual(['g{agent="a"} 1'])
  values.length = 0
  expect([...gauge.samples()]).toEqual([])
})
