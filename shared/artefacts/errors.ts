/** What is stored under a digest is not what was put there. Restore it from a backup. */
export class ArtefactDamaged extends Error {
  override name = 'ArtefactDamaged';
  constructor(digest: string) {
    super(`artefact ${digest}: the stored bytes have another digest: restore it from a backup`);
  }
}
