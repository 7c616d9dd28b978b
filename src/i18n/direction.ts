const RIGHT_TO_LEFT = new Set('ar arc ckb dv fa ha-arab he ks ku-arab ps sd syr ug ur yi'.split(' '))

/** The direction in which a language (BCP 47) is written. */
export function directionOf(language: string): 'rtl' | 'ltr' {
  const lower = language.toLowerCase()
  return RIGHT_TO_LEFT.has(lower.split('-')[0] ?? '') ||
    RIGHT_TO_LEFT.has(lower) ||
    /-(arab|hebr)\b/.test(lower)
    ? 'rtl'
    : 'ltr'
}
