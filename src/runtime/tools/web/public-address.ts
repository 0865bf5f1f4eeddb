import ipaddr from 'ipaddr.js'

/** Public by its range, and yet answered by the machine's own host: the platform endpoint of Azure. */
const METADATA = new Set(['168.63.129.16'])

/**
 * True for an address of the open internet: not loopback, private, link-local (where clouds answer with credentials), multicast,
 * reserved, nor one that stands for an IPv4 address by which the same could be reached (mapped, NAT64, 6to4, Teredo).
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  // Makes IPv4 of an IPv4-mapped address.
  const parsed = ipaddr.process(address)
  return parsed.range() === 'unicast' && !METADATA.has(parsed.toString()) && !isIpv4Compatible(parsed)
}

/** `::a.b.c.d`, deprecated and routed nowhere, which some systems take for the IPv4 address. */
function isIpv4Compatible(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return address instanceof ipaddr.IPv6 && address.parts.slice(0, 6).every((part) => part === 0)
}
