/** Where the gateway listens unless it is told. Apart from serve.ts, so that a command's help does not load a server. */
export const DEFAULT_HOST = '127.0.0.1'
export const DEFAULT_PORT = 7420
