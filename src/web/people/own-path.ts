/** An address of this site, for where to go after signing in; anything else is the page of one's account. */
export function ownPath(path: string): string {
  return /^\/(?![/\\])[\w\-./~%]*$/.test(path) && !path.startsWith('/sign-') ? path : '/account'
}
