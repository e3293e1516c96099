/** The signed-in demo shopper as the pages know them. */
export interface Shopper {
  readonly userId: string;
  readonly name: string;
}
