/** Text of at most about `max` UTF-16 units: three quarters of those from its beginning, the rest from its end, and how much is left out. */
export function cutMiddle(text: string, max: number, note = ''): string {
  if (text.length <= max) return text
  const end = Math.floor(max / 4)
  const left = `… ${text.length - max} characters are not shown${note} …`
  return `${text.slice(0, max - end).toWellFormed()}\n${left}\n${text.slice(-end).toWellFormed()}`
}
