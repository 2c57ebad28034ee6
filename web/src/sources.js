// Where pictures come from: the picker, dropping, pasting, the webcam.

export function addPictureSources(part, add, trouble) {
  const pictures = (files) => {
    const kept = [...files].filter((file) => file.type.startsWith('image/'));
    if (kept.length < files.length) trouble('Only pictures are taken: JPEG, PNG and WebP.');
    add(kept);
  };

  part('files').addEventListener('change', ({ target }) => {
    pictures(target.files);
    target.value = '';
  });

  let inside = 0;
  const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');
  const hint = (shown) => { part('drop-hint').hidden = !shown; };
  document.addEventListener('dragenter', (event) => {
    if (carries(event)) hint(++inside > 0);
  });
  document.addEventListener('dragleave', (event) => {
    if (carries(event)) hint(--inside > 0);
  });
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    inside = 0;
    hint(false);
    if (event.dataTransfer) pictures(event.dataTransfer.files);
  });

  document.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) pictures(files);
  });

  let stream = null;
  const stop = () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    part('camera').hidden = true;
    part('webcam').setAttribute('aria-expanded', 'false');
    part('webcam').textContent = 'Use the webcam';
  };
  part('webcam').addEventListener('click', async () => {
    if (stream) {
      stop();
      return;
    }
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
    } catch {
      trouble('The webcam cannot be used: allow it in the browser. '
        + 'Browsers give it only to pages of this machine or over HTTPS.');
      return;
    }
    part('video').srcObject = stream;
    part('camera').hidden = false;
    part('webcam').setAttribute('aria-expanded', 'true');
    part('webcam').textContent = 'Close the webcam';
  });
  let number = 0;
  part('capture').addEventListener('click', () => {
    const video = part('video');
    if (!video.videoWidth) return;
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext('2d').drawImage(video, 0, 0);
    canvas.toBlob((blob) => {
      add([new File([blob], `webcam_${String(++number).padStart(3, '0')}.jpg`, { type: 'image/jpeg' })]);
    }, 'image/jpeg', 0.95);
  });
}
