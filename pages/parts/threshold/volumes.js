// Receives a case's volumes, unpacks them once, and keeps the few last ones for the tab.

const KEPT = 3;

export default function volumes({ data }) {
  if (!data) return;
  const store = sharedStore();
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  unpackVolumes(bytes).then((volume) => {
    store.volumes.delete(volume.key);
    store.volumes.set(volume.key, volume);
    for (const key of [...store.volumes.keys()].slice(0, -KEPT)) store.volumes.delete(key);
    tell(store, "volumes");
  });
}
