/** Values that are worked out once for each value that they follow from: asked for in every frame, changed in few. Pure to its callers. */

/** `workOut`, each source asked once. Sources are told apart by identity, and are not kept alive. */
export function derived<Source extends object, Value>(
  workOut: (source: Source) => Value,
): (source: Source) => Value {
  const known = new WeakMap<Source, { readonly value: Value }>()
  return (source) => {
    const found = known.get(source) ?? { value: workOut(source) }
    known.set(source, found)
    return found.value
  }
}
