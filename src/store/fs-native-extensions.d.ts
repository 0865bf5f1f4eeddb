/** The part of the package that directory-lock.ts uses; it comes without types. */
declare module 'fs-native-extensions' {
  /**
   * Locks the whole file exclusively. False where another descriptor, of any process, holds a lock on it. Throws where the file
   * system has no such locks.
   */
  export function tryLock(fd: number): boolean
}
