import Link from "next/link";
import { Notice } from "../components/notice.tsx";

export const metadata = { title: "Nothing here" };

export default function NotFound() {
  return (
    <Notice title="Nothing stands here">
      <p>This address leads to no sale, no order and no page of this shop.</p>
      <Link href="/" prefetch={false} className="plain-button">
        To the shop
      </Link>
    </Notice>
  );
}
