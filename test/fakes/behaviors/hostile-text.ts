/** A behavior whose every text is the message's second part: the first says where it goes. */
import { type Behavior, defineBehavior } from '../../../src/behavior.ts'

const hostileText: Behavior = defineBehavior({
  async run(message, context) {
    const at = message.indexOf(' ')
    const text = message.slice(at + 1)
    switch (message.slice(0, at)) {
      case 'emit':
        for (const character of text) context.emit(character)
        return text
      case 'throw':
        throw new Error(text)
      case 'tool':
        await context.runTool(text, { [text]: text }, async () => text)
        return 'used'
      case 'crash':
        setImmediate(() => {
          throw new Error(text)
        })
        return new Promise(() => undefined)
      case 'console':
        console.log(text)
        process.stdout.write(text)
        return 'printed'
      default:
        return message
    }
  },
})

export default hostileText
