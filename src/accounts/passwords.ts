import { argon2, createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { HyperactiveError } from '../errors.ts'

const hash = promisify(argon2)

/**
 * argon2id with 46 MiB, one pass and one lane: the first of OWASP's recommended sets, so that a stolen database gives
 * no passwords away, and a cheap machine takes about a twentieth of a second.
 */
const MEMORY_KIB = 47_104
const PASSES = 1
const LANES = 1
const SALT_BYTES = 16
const HASH_BYTES = 32
const SHORTEST = 12
const LONGEST = 200
const STORED = /^\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

/** Words that are guessed first; longer passwords made of them only are refused too. */
const GUESSED =
  /^(?:password|passw0rd|hyperactive|qwerty|qwertz|letmein|welcome|admin|iloveyou|abc|[0-9]{1,6}|[^a-z0-9])+$/i

/**
 * What is wrong with a new password: NIST SP 800-63B asks for length and against guessable ones, not for kinds of
 * characters.
 *
 * @returns the name of a message, or undefined
 */
export function passwordProblem(password: string, handle = ''): 'short' | 'long' | 'guessable' | undefined {
  const { length } = password
  if (length < SHORTEST) return 'short'
  if (length > LONGEST) return 'long'
  const isRepeated = new Set(password).size < 4
  const isHandle = handle !== '' && password.toLowerCase().replaceAll(handle.toLowerCase(), '').length < 4
  return isRepeated || isHandle || GUESSED.test(password) ? 'guessable' : undefined
}

/** At most two at once: each takes its memory. */
const MOST_AT_ONCE = 2
const MOST_WAITING = 50
let working = 0
const waiting: (() => void)[] = []

async function inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
  if (working >= MOST_AT_ONCE) {
    if (waiting.length >= MOST_WAITING)
      throw new HyperactiveError(
        'too_many_sign_ins',
        'Too many people are signing in. Try again in a moment.',
        {
          status: 429,
        },
      )
    await new Promise<void>((resolve) => waiting.push(resolve))
  } else working += 1
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next) next()
    else working -= 1
  }
}

/** The password's hash in the PHC string format, with parameters and salt. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const hashed = await derive(password, salt, { memory: MEMORY_KIB, passes: PASSES, lanes: LANES })
  return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$${base64(salt)}$${base64(hashed)}`
}

/** What is compared when there is no such account, so that the answer takes as long. */
let nobodys: Promise<string> | undefined

/**
 * Whether a password is the one that was hashed. It takes as long when nothing was: whoever measures it does not learn
 * which handles there are.
 */
export async function isPassword(password: string, stored: string | undefined): Promise<boolean> {
  nobodys ??= hashPassword(randomBytes(SALT_BYTES).toString('hex'))
  const [, memory, passes, lanes, salt = '', hashed = ''] =
    STORED.exec(stored ?? '') ?? STORED.exec(await nobodys) ?? []
  // The bounds keep a hash that a peer sent from taking the machine.
  const parameters = {
    memory: Math.min(Number(memory), 4 * MEMORY_KIB),
    passes: Math.min(Number(passes), 10),
    lanes: Math.min(Number(lanes), 4),
  }
  const wanted = Buffer.from(hashed, 'base64')
  const given = await derive(password.slice(0, LONGEST * 2), Buffer.from(salt, 'base64'), parameters)
  const equal =
    wanted.length === given.length && timingSafeEqual(new Uint8Array(wanted), new Uint8Array(given))
  return equal && stored !== undefined && STORED.test(stored)
}

function derive(
  password: string,
  salt: Buffer,
  { memory, passes, lanes }: { memory: number; passes: number; lanes: number },
): Promise<Buffer> {
  return inTurn(() =>
    hash('argon2id', {
      message: password.normalize('NFKC'),
      nonce: salt,
      memory,
      passes,
      parallelism: lanes,
      tagLength: HASH_BYTES,
    }),
  )
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}

/** A random secret for a link or a session: 256 bits, base64url. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** The form in which a random secret is stored: whoever reads the store cannot use it. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
