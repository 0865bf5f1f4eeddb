/** A behavior that asks for one array larger than V8 has: no watch sees it coming, and the whole process ends. "split COUNT". */
import { type Behavior, defineBehavior } from '../../../src/behavior.ts'

const hugeArray: Behavior = defineBehavior({
  run(message) {
    const [word, count = '0'] = message.split(' ')
    return word === 'split' ? String('a'.repeat(Number(count)).split('').length) : message
  },
})

export default hugeArray
