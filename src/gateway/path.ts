/** The gateway's path under a node's address. */
export const GATEWAY_PATH = '/gateway'
