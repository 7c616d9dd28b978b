/** What processes get of this one's environment: where programs are, and where Node keeps what it has compiled. */
export const BARE: Readonly<Record<string, string | undefined>> = {
  PATH: process.env.PATH,
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
}
