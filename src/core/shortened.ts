/** Well-formed, at most `maxLength` UTF-16 units: what is longer is cut at its end, and marked. */
export function shortened(text: string, maxLength: number): string {
  const whole = text.toWellFormed()
  return whole.length <= maxLength ? whole : `${whole.slice(0, maxLength - 1).toWellFormed()}…`
}
