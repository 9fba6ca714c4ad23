#include <anabranch/number.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int anb_number_parse(const char *text, size_t n, double *value){char b[64];if(n==0||n>60)return -1;memcpy(b,text,n);b[n]=0;char*e;*value=strtod(b,&e);return (int)(e-b)?(int)(e-b):-1;}
size_t anb_number_format(double v, char *out){for(int p=1;p<18;p++){snprintf(out,32,"%.*g",p,v);if(strtod(out,0)==v)break;}return strlen(out);}
