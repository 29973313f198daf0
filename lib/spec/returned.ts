/** Makes a class put its private fields on the object that is passed to its constructor, whatever made that. */
export class Returned {
  constructor(object: object) {
    return object;
  }
}
