/** The texts in which a secret shows up. Pure. */

/** A line of a secret of several lines (a private key) counts by itself from this length on. */
const MIN_LINE_LENGTH = 16
/** A form that is shorter says too little to be searched for. */
const MIN_FORM_LENGTH = 8

/**
 * As it is and without white space around it; each long line of it; in JSON; in a URL and in a form; in base64 of both alphabets,
 * also in the middle of other bytes (as in `Authorization: Basic`); in hexadecimal. Each at least 8 characters.
 */
export function formsOf(secret: string): Set<string> {
  const lines = secret.split(/\r?\n/).map((line) => line.trim())
  const longLines = lines.filter((line) => line.length >= MIN_LINE_LENGTH && !line.startsWith('-----'))
  const texts = new Set([secret, secret.trim(), ...longLines])
  const forms = [...texts].flatMap((text) => [
    text,
    ...inJson(text),
    ...inUrl(text.toWellFormed()),
    ...inBase64(Buffer.from(text)),
    Buffer.from(text).toString('hex'),
    Buffer.from(text).toString('hex').toUpperCase(),
  ])
  return new Set(forms.filter((form) => form.length >= MIN_FORM_LENGTH))
}

function inJson(text: string): string[] {
  const once = JSON.stringify(text).slice(1, -1)
  const ascii = once.replace(
    /[^\0-\x7F]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  // JSON in a string of JSON, as arguments of tools are.
  return [once, once.replaceAll('/', '\\/'), ascii, JSON.stringify(once).slice(1, -1)]
}

function inUrl(text: string): string[] {
  const component = encodeURIComponent(text)
  const strict = component.replace(/[!'()*~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  const spellings = [component, strict, strict.replaceAll('%20', '+'), encodeURI(text)]
  return spellings.flatMap((form) => [form, form.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())])
}

/** Three bytes make four characters: where the secret begins within the three decides which characters are its own. */
function inBase64(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes])
    const own = shifted
      .toString('base64')
      .slice(Math.ceil((offset * 8) / 6), Math.floor((shifted.length * 8) / 6))
    return [own, own.replaceAll('+', '-').replaceAll('/', '_')]
  })
}
