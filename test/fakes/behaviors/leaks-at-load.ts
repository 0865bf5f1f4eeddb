throw new Error(`no login with ${process.env['LEAKY_API_KEY']}`)

export {}
