import { cookies } from "next/headers";
import { offeredCookie, type TourName } from "./tours.ts";

/** Whether this browser was never offered this tour. Known before the first view, so that the offer pushes nothing. */
export async function isFirstVisit(tour: TourName): Promise<boolean> {
  return !(await cookies()).has(offeredCookie(tour));
}
