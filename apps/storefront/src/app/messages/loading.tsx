export default function Loading() {
  return (
    <div className="page" role="status">
      <div className="lead-in">
        <h1>Messages</h1>
      </div>
      <p className="text-ink-soft">Fetching your messages</p>
    </div>
  );
}
