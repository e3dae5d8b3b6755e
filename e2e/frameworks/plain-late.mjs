import { onLate } from './scene.mjs';

export const show = () => void onLate();
