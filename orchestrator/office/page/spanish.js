// The Spanish of each English text of the pages. test/office/texts.mjs finds texts without an entry, and entries without a text.
/** @type {Record<string, string>} */
export const spanish = {
  // Frame, keyboard, signing in
  'Back office': 'Oficina', 'To the content': 'Ir al contenido', 'Today': 'Hoy', 'Orders': 'Pedidos', 'Products': 'Productos', 'Receive': 'Recibir',
  'Customers': 'Clientes', 'Import': 'Importar', 'New order': 'Pedido nuevo', 'New product': 'Producto nuevo', 'New customer': 'Cliente nuevo',
  'Order {id}': 'Pedido {id}', 'Product {id}': 'Producto {id}', 'Customer {id}': 'Cliente {id}', 'To the first page': 'Ir a la primera página',
  'Find an order, a customer or a product': 'Buscar un pedido, un cliente o un producto',
  'Find: order, SKU, name': 'Pedido, SKU, nombre', 'Nothing found': 'No se encontró nada',
  'Sign in': 'Entrar', 'Signed in': 'Sesión iniciada', 'Sign out': 'Salir', 'Token': 'Token', 'Who': 'Quién', 'May do': 'Puede', 'Until': 'Hasta',
  'only customer {id}': 'solo el cliente {id}', 'This system needs a token.': 'Este sistema pide un token.',
  'This token is not accepted, or its time is over.': 'Este token no se acepta, o ya caducó.',
  'Ask whoever runs it for a link, made by b2b office, or paste a token here.': 'Pida a quien lo administra un enlace, hecho con b2b office, o pegue aquí un token.',
  'Sign in with your account': 'Entrar con su cuenta', 'It did not work: {why}': 'No ha funcionado: {why}',
  'Keyboard and help': 'Teclado y ayuda', 'Keyboard': 'Teclado', 'Find anything': 'Buscar lo que sea', 'The row above': 'La fila de arriba', 'The row below': 'La fila de abajo',
  'Open the row, press the button': 'Abrir la fila, pulsar el botón', 'The screens on top': 'Las pantallas de arriba', 'Send the form': 'Enviar el formulario',
  'Leave a field or a dialog; else back': 'Salir de un campo o diálogo; si no, volver', 'This help': 'Esta ayuda',
  'To “Confirm”': 'Ir a «Confirmar»', 'To “Cancel”': 'Ir a «Anular»', 'To “Print”': 'Ir a «Imprimir»', 'To “Export”': 'Ir a «Exportar»',
  'Single keys are off, and ? with them: the button ? on top opens this again, and Ctrl-K finds.':
    'Las teclas sueltas no funcionan, ni la ?: el botón ? de arriba abre esto otra vez, y Ctrl-K busca.', 'Key: {key}': 'Tecla: {key}',
  'Single keys work (never while you write)': 'Las teclas sueltas funcionan (nunca mientras se escribe)', 'Close': 'Cerrar', 'Stop': 'Parar',

  // Lists
  'Loading': 'Cargando', 'Try again': 'Probar otra vez', 'Nothing matches:': 'Nada coincide con:', 'There is nothing on this page.': 'En esta página no hay nada.',
  'Show all': 'Mostrar todo', 'Pages': 'Páginas', 'First page': 'Primera página', 'Next page': 'Página siguiente', 'Select all on this page': 'Elegir todos los de esta página',
  'Select {id}': 'Elegir {id}', 'Select none': 'No elegir ninguno', 'Search': 'Buscar', 'Export': 'Exportar', 'Export orders': 'Exportar pedidos', 'Export order lines': 'Exportar líneas de pedido', 'Order lines': 'Líneas de pedido', 'as of {day}': 'al {day}', '{n} on this page': '{n} en esta página', 'Printed {when}': 'Impreso: {when}', 'Print': 'Imprimir',
  '{size} KB, stop': '{size} KB, parar', '{name} was saved.': 'Se ha guardado {name}.',
  'This is one page of a longer list.': 'Es una página de una lista más larga.', 'The button “Print” prints all.': 'El botón «Imprimir» imprime todo.', 'From': 'Desde', 'To': 'Hasta', 'Created from': 'Creado desde', 'Created to': 'Creado hasta', 'Yesterday': 'Ayer', 'Period': 'Período', '{from} to {to}': '{from} a {to}',

  // Orders
  'Order': 'Pedido', 'Customer': 'Cliente', 'Reference': 'Referencia', 'Status': 'Estado', 'Created': 'Creado', 'Total': 'Total', 'To confirm': 'Por confirmar',
  'Confirmed': 'Confirmado', 'Canceled': 'Anulado', 'Canceled by expiry': 'Anulado por vencimiento', '{time} left': 'quedan {time}', 'about to expire': 'a punto de vencer',
  'Customer: a part of the name or email': 'Cliente: parte del nombre o correo', 'no more are printed': 'no se imprimen más', 'There are more: open this again for the next ones.': 'Hay más: vuelva a abrir esto para los siguientes.', 'There are no orders yet.': 'Todavía no hay pedidos.',
  '1 order selected': '1 pedido elegido', '{n} orders selected': '{n} pedidos elegidos', 'Confirm them': 'Confirmarlos', 'Cancel them': 'Anularlos',
  'Confirm all …': 'Confirmar todos …', 'Cancel all …': 'Anular todos …', 'Confirm 1 order': 'Confirmar 1 pedido', 'Confirm {n} orders': 'Confirmar {n} pedidos',
  'Cancel 1 order': 'Anular 1 pedido', 'Cancel {n} orders': 'Anular {n} pedidos', '{done} of {all} done': '{done} de {all} hechos', 'confirmed': 'confirmado', 'canceled': 'anulado',
  'Send again what is not known': 'Repetir lo que no se sabe', 'Confirm': 'Confirmar', 'Cancel the order …': 'Anular el pedido …', 'Cancel order {id}': 'Anular el pedido {id}',
  'Cancel the order': 'Anular el pedido', 'Keep the order': 'Dejarlo como está', 'Reason': 'Motivo', 'Reason (optional)': 'Motivo (opcional)', 'Canceled by': 'Anulado por',
  'Without a reason? Ctrl-Enter cancels, or the button.': '¿Sin motivo? Ctrl-Intro lo anula, o el botón.',
  'With this reason? Ctrl-Enter cancels, or the button.': '¿Con este motivo? Ctrl-Intro lo anula, o el botón.', '{button} is ready': '{button} está listo',
  'Its stock returns. A canceled order stays canceled.': 'Sus piezas vuelven a las existencias. Un pedido anulado queda anulado.',
  'The order shows it to everybody who sees the order.': 'Lo ve quien vea el pedido.', 'can be canceled for {time} more': 'se puede anular durante {time} más',
  'What has happened': 'Qué ha pasado', 'Lines': 'Líneas', 'SKU': 'SKU', 'Name': 'Nombre', 'Quantity': 'Cantidad', 'Price': 'Precio', 'Amount': 'Importe',
  'Picked by': 'Preparado por', 'Date': 'Fecha', 'Phone': 'Teléfono', 'Email': 'Correo', 'Your token does not show the history.': 'Su token no muestra la historia.',

  // What has happened
  '{who} placed it': '{who} lo hizo', '{who} confirmed it': '{who} lo confirmó', '{who} canceled it': '{who} lo anuló', '{who} canceled it: {note}': '{who} lo anuló: {note}',
  '{who} canceled it: nobody confirmed it in time': '{who} lo anuló: nadie lo confirmó a tiempo', '{who} changed the stock to {n}': '{who} dejó las existencias en {n}',
  '{who} created it': '{who} lo creó', '{who} deleted it': '{who} lo borró', '{who} changed it': '{who} lo cambió', 'somebody': 'alguien',
  'another service': 'otro servicio', 'the system': 'el sistema', 'yes': 'sí', 'no': 'no',

  // New order
  'Reference (optional)': 'Referencia (opcional)', 'a part of the name or email': 'parte del nombre o correo', 'SKU or a part of the name': 'SKU o parte del nombre',
  'Remove line {n}': 'Quitar la línea {n}', 'Quantity must be a whole number above 0.': 'La cantidad es un número entero mayor que 0.', 'only {n} in stock': 'solo hay {n}',
  'SKU, Tab, quantity, Enter. Two columns of a spreadsheet can be pasted into a SKU.': 'SKU, tabulador, cantidad, Intro. En un SKU se pueden pegar dos columnas de una hoja de cálculo.',
  'An order has {most} lines at most, and these would be {n}: nothing was pasted.':
    'Un pedido tiene {most} líneas como máximo, y serían {n}: no se ha pegado nada.',
  'Quote': 'Presupuesto', 'Choose a customer to see prices.': 'Elija un cliente para ver los precios.', 'Give a SKU and a quantity.': 'Escriba un SKU y una cantidad.',
  'Customer number': 'Número de cliente', 'Currency': 'Moneda', 'Unit price': 'Precio unitario', '1 customer': '1 cliente', '{n} customers': '{n} clientes',
  '1 product': '1 producto', '{n} products': '{n} productos', '1 piece': '1 pieza', '{n} pieces': '{n} piezas', 'Not enough in stock:': 'No hay bastantes:',
  '{available} of {requested}': '{available} de {requested}', 'Order what is there': 'Pedir lo que hay', 'Everything is in stock.': 'Hay existencias de todo.',
  'Save': 'Guardar', 'Save and confirm': 'Guardar y confirmar', 'Clear': 'Vaciar',

  // Sending
  'Sending …': 'Enviando …', 'Not known yet.': 'Aún no se sabe.',
  'No answer came. It is sent again, with the same key: nothing is done twice.': 'No llegó respuesta. Se envía otra vez, con la misma clave: nada se hace dos veces.',
  'Send again now': 'Enviar ya otra vez', 'Begin a new form': 'Empezar un formulario nuevo',
  'This form was sent before, and it is not known what became of it. Send it again: nothing is done twice.': 'Este formulario ya se envió, y no se sabe qué pasó. Envíelo otra vez: nada se hace dos veces.',
  'This form was sent before with other contents, and done.': 'Este formulario ya se envió con otro contenido, y se hizo.',
  'Somebody has changed it meanwhile. Nothing of yours is saved yet.': 'Alguien lo ha cambiado mientras tanto. De lo suyo aún no se ha guardado nada.',
  'Mine': 'Lo mío', 'Theirs': 'Lo suyo', 'Save mine': 'Guardar lo mío', 'Take theirs': 'Quedarse con lo suyo',

  // Products and stock
  'In stock': 'Existencias', '{n} in stock': '{n} en existencias', 'For sale': 'A la venta', 'Not for sale': 'Fuera de venta', 'not for sale': 'fuera de venta', 'Low on stock': 'Quedan pocos',
  'less than': 'menos de', 'less than {n} in stock': 'quedan menos de {n}', 'a part of the SKU or name': 'Buscar: parte del SKU o nombre', 'Stock': 'Existencias', 'Pieces': 'Piezas',
  'There are no products yet. A catalogue can be imported.': 'Todavía no hay productos. Se puede importar un catálogo.', 'Change the price of {sku}, {price}': 'Cambiar el precio de {sku}, {price}',
  'Price of {sku}': 'Precio de {sku}', 'This is no amount.': 'Esto no es un importe.', 'Keep the old price': 'Dejar el precio de antes', 'Change the name, or stop selling it': 'Cambiar el nombre o retirarlo de la venta',
  'Stop selling it': 'Retirar de la venta', 'Sell it again': 'Volver a venderlo', 'Changes of the stock': 'Cambios de las existencias', 'created': 'creado', 'level set': 'fijado',
  'When': 'Cuándo', 'Stock after': 'Quedan', 'Why': 'Por qué', 'A row of orders sums up what they took and returned; the orders are not listed here.': 'Una fila de pedidos suma lo que tomaron y devolvieron; los pedidos no se listan aquí.', 'orders since the row below': 'pedidos desde la fila de abajo',
  'received': 'recibido', 'taken out': 'retirado', 'Many products match: choose one.': 'Coinciden muchos productos: elija uno.', '1 product matches: choose it.': 'Coincide 1 producto: elíjalo.', '{n} products match: choose one.': 'Coinciden {n} productos: elija uno.',
  'There is no product {sku}.': 'No hay ningún producto {sku}.', 'A minus takes pieces out.': 'Con un menos se retiran piezas.',
  'Note': 'Nota', 'Note (optional)': 'Nota (opcional)', 'Such as the number of the delivery note.': 'Como el número del albarán.', 'Take out': 'Retirar',
  'Received here today': 'Recibido hoy aquí', 'Nothing yet.': 'Todavía nada.',

  // Customers
  'Details': 'Datos', 'Delete …': 'Borrar …', 'Delete {name}?': '¿Borrar {name}?', 'The orders stay. The email may be used again.': 'Los pedidos se quedan. El correo se puede volver a usar.',
  'Delete the customer': 'Borrar el cliente', 'Keep the customer': 'Dejarlo como está', 'deleted': 'borrado', 'Deleted, too': 'También borrados', 'Changed': 'Cambiado',
  'There are no customers yet. A list can be imported.': 'Todavía no hay clientes. Se puede importar una lista.', 'This customer has no orders.': 'Este cliente no tiene pedidos.',
  'All orders of this customer': 'Todos los pedidos de este cliente', 'Filter, export or print these orders': 'Filtrar, exportar o imprimir estos pedidos',

  // Import
  'Drop a spreadsheet here (CSV), or choose one': 'Suelte aquí una hoja de cálculo (CSV), o elija una', 'Choose another file': 'Elegir otro archivo',
  'Products are known by their SKU, customers by their email: what is there is changed, what is new is created. Nothing happens before you have seen what would happen.':
    'Los productos se conocen por su SKU, los clientes por su correo: lo que existe se cambia, lo nuevo se crea. No pasa nada antes de que haya visto lo que pasaría.',
  'How the file is read': 'Cómo se lee el archivo', 'It has': 'Contiene', 'Separator': 'Separador', 'Encoding': 'Codificación', 'Comma': 'Coma', 'Semicolon': 'Punto y coma', 'Tab': 'Tabulador',
  'This is a workbook: save its sheet as CSV, and choose that file.': 'Es un libro de hojas de cálculo: guarde su hoja como CSV y elija ese archivo.',
  'refused: it has more or fewer cells than the first line: each row needs as many separators even where its last cells are empty':
    'rechazada: tiene más o menos celdas que la primera línea: cada fila necesita los mismos separadores aunque sus últimas celdas estén vacías',
  'Prices look like': 'Los precios son como', 'as they look': 'como parecen', '1 row': '1 fila', '{n} rows': '{n} filas',
  'Say which column has the {name}.': 'Diga qué columna tiene: {name}.',
  'The stock of the file replaces the stock of now: leave the column out unless it was counted just now.': 'Las existencias del archivo sustituyen a las de ahora: no lea la columna si no se han contado ahora mismo.',
  'Try it: nothing is changed': 'Probar: no cambia nada', 'Save the refused rows': 'Guardar las filas rechazadas', 'Rows done': 'Filas hechas', '{done} of {all}': '{done} de {all}',
  'Some rows may be done. Import the file again: what is done stays as it is.': 'Puede que algunas filas estén hechas. Importe el archivo otra vez: lo hecho queda como está.',
  'This would happen:': 'Pasaría esto:', 'Done:': 'Hecho:', 'Save the refused rows, mend them, and import that file.': 'Guarde las filas rechazadas, corríjalas e importe ese archivo.',
  'Rows': 'Filas', 'Column {title}': 'Columna {title}', 'not read': 'no se lee', 'What happens': 'Qué pasa', '{shown} of {all} rows are shown.': 'Se muestran {shown} de {all} filas.',
  'no amount': 'no es un importe', 'refused': 'rechazada', 'updated': 'cambiada', 'unchanged': 'igual', '1 created': '1 creada', '{n} created': '{n} creadas', '1 updated': '1 cambiada', '{n} updated': '{n} cambiadas',
  '1 unchanged': '1 igual', '{n} unchanged': '{n} iguales', '1 refused': '1 rechazada', '{n} refused': '{n} rechazadas', 'nothing': 'nada', 'Price in cents': 'Precio en céntimos', 'Stock level': 'Existencias',

  // Today
  'as of {time}': 'actualizado: {time}', 'Orders to confirm': 'Pedidos por confirmar', 'The oldest come first: their pieces return to stock first.': 'Primero los más antiguos: sus piezas vuelven antes a las existencias.',
  'All orders to confirm': 'Todos los pedidos por confirmar', 'No order waits.': 'Ningún pedido espera.', 'All with less than {n}': 'Todos con menos de {n}',
  'Every product has {n} pieces or more.': 'De cada producto hay {n} piezas o más.', 'Confirmed in the last {n} weeks': 'Confirmado en las últimas {n} semanas', 'Last import here': 'Última importación aquí',
  'Value of the confirmed orders, by day': 'Valor de los pedidos confirmados, por día', '1 order': '1 pedido', '{n} orders': '{n} pedidos',
  '{value} in all, {units} pieces, {orders} orders': '{value} en total, {units} piezas, {orders} pedidos', 'highest day {value}': 'el día más alto {value}', 'As a table': 'Como tabla', 'Day': 'Día', 'Value': 'Valor',

  // Errors
  'No answer came.': 'No llegó respuesta.', 'Something in it is not valid.': 'Algo no es válido.', 'There is not enough stock.': 'No hay bastantes existencias.',
  'Prices have changed since you looked. Look at the new total, and save again.': 'Los precios han cambiado. Mire el total nuevo y guarde otra vez.',
  'The order was canceled meanwhile, so it cannot be confirmed.': 'El pedido se anuló mientras tanto, así que no se puede confirmar.',
  'The time in which the order could be canceled is over.': 'Pasó el tiempo en que se podía anular el pedido.', 'There is no such customer.': 'Ese cliente no existe.', 'There is no such product.': 'Ese producto no existe.',
  'The product is not for sale.': 'El producto no está a la venta.', 'There is no such order.': 'Ese pedido no existe.', 'There is nothing here.': 'Aquí no hay nada.', 'Another customer has this email.': 'Otro cliente tiene este correo.',
  'Another product has this SKU.': 'Otro producto tiene este SKU.', 'Another order of this customer has this reference.': 'Otro pedido de este cliente tiene esta referencia.',
  'Somebody has changed it meanwhile.': 'Alguien lo ha cambiado mientras tanto.', 'You need to sign in.': 'Hay que entrar.', 'You may not do this.': 'No le está permitido.',
  'Too many requests at once. Wait a moment, and try again.': 'Demasiadas peticiones a la vez. Espere un momento y pruebe otra vez.', 'It is too large.': 'Es demasiado grande.',
  'A part of the system does not answer at the moment.': 'Una parte del sistema no responde en este momento.', 'The system did not answer in time.': 'El sistema no respondió a tiempo.',
  'The system cannot do this now. Try again.': 'El sistema no puede hacerlo ahora. Pruebe otra vez.',
  'It took too long to send. Try again.': 'Tardó demasiado en enviarse. Pruebe otra vez.',
  'Something went wrong in the system.': 'Algo falló en el sistema.',
  '{sku}: {requested} asked for, {available} in stock': '{sku}: se piden {requested}, hay {available}', 'Product': 'Producto',
  'is missing': 'falta', 'must be at least {limit}': 'es menor que {limit}', 'must be at most {limit}': 'es mayor que {limit}', 'is longer than {limit} characters': 'tiene más de {limit} caracteres',
  'is too short': 'es demasiado corto', 'is not valid': 'no es válido', 'is taken already': 'ya está en uso', 'must be a whole number': 'no es un número entero',
  'must be an amount such as 1299.90': 'no es un importe como 1299,90', 'must be yes or no': 'no es ni sí ni no', 'is in row {row} already': 'ya está en la fila {row}',
  '{d} d {h} h': '{d} d {h} h', '{h} h {m} min': '{h} h {m} min', '{m} min': '{m} min', '{m} min {s} s': '{m} min {s} s',
}
