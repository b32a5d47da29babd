import { Link } from '../routing/router.tsx';

/** For addresses that name no page. */
export function NotFoundPage() {
  return (
    <section className="empty">
      <h1>There is no such page</h1>
      <p>
        <Link to={{ kind: 'streams' }}>Go to your streams</Link>
      </p>
    </section>
  );
}
