import ipaddr from 'ipaddr.js'

/** Ports that web servers stand on. Others are asked for nobody, since what stands there may be no web server. */
export const PORTS: ReadonlySet<number> = new Set([80, 443, 8080, 8443])

/** Looks public and is not: on Azure it is the machine's own host, which hands out its secrets. */
const CLOUD_HOST = '168.63.129.16'
/** All that IANA has given out as ipaddr.IPv6 unicast: 2000::/3. */
const UNICAST = ipaddr.IPv6.parse('2000::')
/** RFC 6052: a translator makes IPv4 of the last 32 bits. */
const TRANSLATED = ipaddr.IPv6.parse('64:ff9b::')

/**
 * Whether an IP address is public unicast: a machine anywhere on the internet, never one of the own network or of the
 * own provider's. What IANA's special-purpose registries name (RFC 6890) is not. IPv6 addresses that stand for IPv4
 * ones are not either, whatever they stand for (mapped, 6to4, Teredo), but for NAT64's, without which a node with IPv6
 * alone reaches half of the internet: there the IPv4 address inside is judged.
 */
export function isPublicAddress(address: string): boolean {
  // A zone ("fe80::1%eth0") names an interface of this machine.
  if (address.includes('%') || !ipaddr.isValid(address)) return false
  const parsed = ipaddr.parse(address)
  if (parsed.kind() === 'ipv4') return isPublicIPv4(parsed as ipaddr.IPv4)
  const ipv6 = parsed as ipaddr.IPv6
  if (ipv6.match(TRANSLATED, 96)) return isPublicAddress(ipv6.toByteArray().slice(12).join('.'))
  return ipv6.range() === 'unicast' && ipv6.match(UNICAST, 3)
}

function isPublicIPv4(address: ipaddr.IPv4): boolean {
  return address.range() === 'unicast' && address.toString() !== CLOUD_HOST
}
