/* A Modbus server made with libmodbus, for tests: `libmodbus_server tcp PORT` or `libmodbus_server rtu DEVICE BAUD`.
 * Registers 0 to 199 hold 3 * register + 1, input registers 5 * register + 2; coil and input n are on where n % 3 is 0.
 * Anything beyond 199 is answered with exception 2. RTU answers as unit 1 only. Prints "ready" when it serves. */
#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE 200

static void serve(modbus_t *context, modbus_mapping_t *mapping)
{
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    for (;;) {
        int length = modbus_receive(context, query);
        if (length > 0)
            modbus_reply(context, query, length, mapping);
        else if (length == -1 && errno != EMBBADCRC)
            return;
    }
}

int main(int argc, char **argv)
{
    modbus_mapping_t *mapping = modbus_mapping_new(SIZE, SIZE, SIZE, SIZE);
    modbus_t *context;
    int listener, i;

    if (argc < 3 || mapping == NULL)
        return 2;
    for (i = 0; i < SIZE; i++) {
        mapping->tab_registers[i] = 3 * i + 1;
        mapping->tab_input_registers[i] = 5 * i + 2;
        mapping->tab_bits[i] = mapping->tab_input_bits[i] = i % 3 == 0;
    }
    if (strcmp(argv[1], "rtu") == 0) {
        context = modbus_new_rtu(argv[2], atoi(argv[3]), 'N', 8, 1);
        modbus_set_slave(context, 1);
        if (modbus_connect(context) == -1)
            return 1;
        printf("ready\n");
        fflush(stdout);
        serve(context, mapping);
        return 0;
    }
    context = modbus_new_tcp("127.0.0.1", atoi(argv[2]));
    listener = modbus_tcp_listen(context, 4);
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        if (modbus_tcp_accept(context, &listener) == -1)
            return 1;
        serve(context, mapping);
        modbus_close(context);
    }
}
