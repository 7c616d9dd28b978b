/** Makes a passkey or signs in with one, by the forms that a page has for that: they are shown where the browser can. */

interface Descriptor {
  id: string
  type: 'public-key'
  transports?: AuthenticatorTransport[]
}

const canUsePasskeys = window.isSecureContext && 'PublicKeyCredential' in window

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) =>
    letter.charCodeAt(0),
  )
}

function textOf(buffer: ArrayBuffer): string {
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join('')
  return btoa(letters).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function inBytes({ id, ...rest }: Descriptor): PublicKeyCredentialDescriptor {
  return { id: bytesOf(id), ...rest }
}

/** What older browsers cannot read by themselves. */
function creationOptions(
  options: PublicKeyCredentialCreationOptionsJSON,
): PublicKeyCredentialCreationOptions {
  if ('parseCreationOptionsFromJSON' in PublicKeyCredential)
    return PublicKeyCredential.parseCreationOptionsFromJSON(options)
  const { challenge, user, excludeCredentials = [], ...rest } = options
  return {
    ...(rest as Omit<PublicKeyCredentialCreationOptions, 'challenge' | 'user'>),
    challenge: bytesOf(challenge),
    user: { ...user, id: bytesOf(user.id) },
    excludeCredentials: (excludeCredentials as Descriptor[]).map(inBytes),
  }
}

function requestOptions(options: PublicKeyCredentialRequestOptionsJSON): PublicKeyCredentialRequestOptions {
  if ('parseRequestOptionsFromJSON' in PublicKeyCredential)
    return PublicKeyCredential.parseRequestOptionsFromJSON(options)
  const { challenge, allowCredentials = [], ...rest } = options
  return {
    ...(rest as Omit<PublicKeyCredentialRequestOptions, 'challenge'>),
    challenge: bytesOf(challenge),
    allowCredentials: (allowCredentials as Descriptor[]).map(inBytes),
  }
}

function answerOf(credential: PublicKeyCredential): object {
  if ('toJSON' in credential) return credential.toJSON()
  const { id, rawId, type, response } = credential as PublicKeyCredential
  const parts: Record<string, unknown> = { clientDataJSON: textOf(response.clientDataJSON) }
  if (response instanceof AuthenticatorAttestationResponse) {
    parts.attestationObject = textOf(response.attestationObject)
    parts.transports = response.getTransports()
  } else if (response instanceof AuthenticatorAssertionResponse) {
    parts.authenticatorData = textOf(response.authenticatorData)
    parts.signature = textOf(response.signature)
  }
  return { id, rawId: textOf(rawId), type, response: parts }
}

async function askDevice(kind: string | undefined, options: unknown): Promise<PublicKeyCredential> {
  const credential =
    kind === 'add'
      ? await navigator.credentials.create({
          publicKey: creationOptions(options as PublicKeyCredentialCreationOptionsJSON),
        })
      : await navigator.credentials.get({
          publicKey: requestOptions(options as PublicKeyCredentialRequestOptionsJSON),
        })
  if (!credential) throw new Error('the browser gave no passkey')
  return credential as PublicKeyCredential
}

/** Fills the form in and sends it, or gives what to tell its reader. */
async function run(form: HTMLFormElement): Promise<string | undefined> {
  const { passkey, options = '' } = form.dataset
  const body = new URLSearchParams(new FormData(form) as unknown as Record<string, string>)
  const response = await fetch(options, { method: 'POST', body })
  // The session has ended: the page that it leads to says so.
  if (response.redirected) location.assign(response.url)
  const given = (await response.json()) as { problem?: string }
  if (!response.ok) return given.problem
  const answer = form.querySelector<HTMLInputElement>('input[name=answer]')
  if (answer) answer.value = JSON.stringify(answerOf(await askDevice(passkey, given)))
  const password = form.querySelector<HTMLInputElement>('input[name=password]')
  if (password) password.value = ''
  form.submit()
  return undefined
}

if (canUsePasskeys) {
  for (const missing of document.querySelectorAll<HTMLElement>('[data-passkey-missing]'))
    missing.hidden = true
  for (const form of document.querySelectorAll<HTMLFormElement>('form[data-passkey]')) {
    const button = form.querySelector('button')
    const alert = form.querySelector<HTMLElement>('[role=alert]')
    form.hidden = false
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      if (button) button.disabled = true
      if (alert) alert.hidden = true
      void run(form)
        .catch(() => form.dataset.failed)
        .then((problem) => {
          if (problem === undefined) return
          if (button) button.disabled = false
          if (alert) {
            alert.textContent = problem
            alert.hidden = false
          }
        })
    })
  }
}
