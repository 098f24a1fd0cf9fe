/*
 * For programs under sanitizers: what the Vulkan loader unloads stays where it is, so that reports name its functions.
 */
int dlclose(void *library)
{
    (void)library;
    return 0;
}
