/** Takes an order. It has the bug that every shop had once: it trusts that there is an address. */

/**
 * @param {{ items: string[], address?: { street: string } }} order
 * @throws {TypeError} always, here
 */
export function checkOut(order) {
  const { items, address } = order;
  return `${items.length} things to ${address.street}`;
}
