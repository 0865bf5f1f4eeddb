export const behavior = 'not exported as it should be'
