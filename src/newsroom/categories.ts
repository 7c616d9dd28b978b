/** The reasons that moderators choose from; pages say them in the reader's language. */
export const CATEGORIES = [
  'advertising',
  'spam',
  'hate',
  'personal-data',
  'danger',
  'illegal',
  'untrue',
  'duplicate',
  'off-topic',
] as const
